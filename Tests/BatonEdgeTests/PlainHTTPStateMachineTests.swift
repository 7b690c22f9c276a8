import BatonCore
import BatonEdge
import NIOCore
import Testing

@Suite("The exchanges of a plain connection")
struct PlainHTTPStateMachineTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000)

    private func at(_ seconds: Int64) -> NIODeadline { Self.start + .seconds(seconds) }

    private func machine() -> PlainHTTPHandler.StateMachine {
        PlainHTTPHandler.StateMachine(
            times: .init(idle: .seconds(60), request: .seconds(30), answer: .seconds(20), close: .seconds(5)),
            now: Self.start)
    }

    @Test("The next request waits until the last byte of the answer is taken")
    func order() {
        var machine = machine()
        #expect(!machine.holdsBack)
        machine.began(isLast: false, now: at(1))
        #expect(machine.receivedBody(bytes: 5) == .pass)
        #expect(!machine.holdsBack)
        machine.receivedEnd()
        #expect(machine.holdsBack)
        #expect(machine.next(now: at(1)) == .nothing)
        #expect(machine.beganAnswer(bytes: 0, now: at(2)) == .pass(isLast: false))
        #expect(machine.beganAnswer(bytes: 9, now: at(2)) == .pass(isLast: false))
        #expect(machine.endedAnswer() == .pass(isLast: false))
        #expect(machine.next(now: at(2)) == .nothing)
        machine.answerTaken()
        #expect(machine.next(now: at(3)) == .proceed)
        #expect(!machine.holdsBack)
        #expect(machine.deadline == at(63))
    }

    @Test("A request has its time from its head to its end, and the error can be told while no answer began")
    func slowRequest() {
        var machine = machine()
        machine.began(isLast: false, now: at(10))
        #expect(machine.deadline == at(40))
        _ = machine.receivedBody(bytes: 1)
        #expect(machine.deadline == at(40))
        #expect(machine.deadlinePassed(now: at(39)) == .wait)
        #expect(machine.deadlinePassed(now: at(40)) == .refuse)
        #expect(machine.canRefuse)
        machine.receivedEnd()
        // What is missing now is ours.
        #expect(machine.deadline == nil)
        _ = machine.beganAnswer(bytes: 0, now: at(41))
        #expect(!machine.canRefuse)
    }

    @Test("An answer has its time, more of it the longer it is")
    func unreadAnswer() {
        var machine = machine()
        machine.began(isLast: false, now: at(0))
        machine.receivedEnd()
        _ = machine.beganAnswer(bytes: 0, now: at(1))
        #expect(machine.deadline == at(21))
        _ = machine.beganAnswer(bytes: Int(Limits.Connection.answerBytesPerSecond) * 10, now: at(2))
        #expect(machine.deadline == at(31))
        _ = machine.endedAnswer()
        #expect(machine.deadlinePassed(now: at(30)) == .wait)
        #expect(machine.deadlinePassed(now: at(31)) == .abandon)
    }

    @Test("What follows an answer that came early is dropped, up to a body's size")
    func early() {
        var machine = machine()
        machine.began(isLast: false, now: at(0))
        _ = machine.beganAnswer(bytes: 3, now: at(0))
        _ = machine.endedAnswer()
        machine.answerTaken()
        #expect(machine.next(now: at(0)) == .nothing)
        #expect(machine.receivedBody(bytes: Limits.Frame.requestBodyBytes) == .drop)
        #expect(machine.receivedBody(bytes: 1) == .close)
        #expect(machine.deadlinePassed(now: at(30)) == .close)
        machine.receivedEnd()
        #expect(machine.next(now: at(1)) == .proceed)
    }

    @Test("An exchange that is the last ends the connection with its answer, whether or not its body came")
    func last() {
        for comes in [true, false] {
            var machine = machine()
            machine.began(isLast: true, now: at(0))
            if comes { machine.receivedEnd() }
            #expect(machine.beganAnswer(bytes: 3, now: at(0)) == .pass(isLast: true))
            _ = machine.endedAnswer()
            #expect(machine.next(now: at(0)) == .nothing)
            machine.answerTaken()
            #expect(machine.next(now: at(0)) == .close)
        }
    }

    @Test("A stop ends a connection that waits at once, and another with its answer")
    func stop() {
        var idle = machine()
        #expect(idle.quiesce() == true)
        var busy = machine()
        busy.began(isLast: false, now: at(0))
        #expect(busy.quiesce() == false)
        #expect(busy.beganAnswer(bytes: 1, now: at(0)) == .pass(isLast: true))
        var later = machine()
        _ = later.quiesce()
        later.began(isLast: false, now: at(0))
        #expect(later.beganAnswer(bytes: 1, now: at(0)) == .pass(isLast: true))
    }

    @Test("The router's side may be finished before the answer has left")
    func finished() {
        var machine = machine()
        machine.began(isLast: false, now: at(0))
        machine.receivedEnd()
        _ = machine.beganAnswer(bytes: 1, now: at(0))
        _ = machine.endedAnswer()
        #expect(machine.finished() == false)
        machine.answerTaken()
        #expect(machine.next(now: at(0)) == .close)
        #expect(machine.finished() == true)
    }

    @Test("Closing has its time, and nothing is answered any more")
    func closing() {
        var machine = machine()
        machine.closing(now: at(7))
        #expect(machine.isClosing && !machine.canRefuse && !machine.holdsBack)
        #expect(machine.beganAnswer(bytes: 1, now: at(8)) == .fail)
        #expect(machine.endedAnswer() == .fail)
        #expect(machine.receivedBody(bytes: 1) == .drop)
        #expect(machine.deadline == at(12))
        #expect(machine.deadlinePassed(now: at(12)) == .close)
    }
}
