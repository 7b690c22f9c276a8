import BatonCore
import Testing

@Suite struct AcknowledgementPipelineTests {
    @Test("One is under way; those that come meanwhile become one, the furthest")
    func coalesces() {
        var pipeline = AcknowledgementPipeline()
        #expect(pipeline.acknowledged(at(1)) == at(1))
        #expect(pipeline.acknowledged(at(5)) == nil)
        #expect(pipeline.acknowledged(at(3)) == nil)
        #expect(pipeline.stored() == at(5))
        #expect(pipeline.acknowledged(at(6)) == nil)
        #expect(pipeline.stored() == at(6))
        #expect(pipeline.stored() == nil)
        #expect(pipeline.acknowledged(at(7)) == at(7))
    }

    private func at(_ position: UInt64) -> InboxSequence { InboxSequence(rawValue: position) }
}
