import BatonCore
import Testing

@Suite("GroupCommit")
struct GroupCommitTests {
    private func transaction(_ commits: inout GroupCommit<String>) -> [Range<Int>] {
        commits.began()
        var parts: [Range<Int>] = []
        while let part = commits.next() { parts.append(part) }
        return parts
    }

    @Test("What waits is committed together, and answered in its order")
    func together() {
        var commits = GroupCommit<String>(batchOperations: 8)
        commits.arrived("a", operations: 2)
        commits.arrived("b", operations: 1)
        #expect(transaction(&commits) == [0..<2, 0..<1])
        #expect(commits.taken == 3)
        #expect(commits.complete == ["a", "b"])
        #expect(commits.committed() == ["a", "b"])
        #expect(commits.isEmpty)
    }

    @Test("A batch is bounded: a longer work spans transactions, and is answered after its last")
    func spanning() {
        var commits = GroupCommit<String>(batchOperations: 4)
        commits.arrived("a", operations: 3)
        commits.arrived("b", operations: 4)
        #expect(transaction(&commits) == [0..<3, 0..<1])
        #expect(commits.committed() == ["a"])
        #expect(transaction(&commits) == [1..<4])
        #expect(commits.committed() == ["b"])
    }

    @Test("Whoever had a part in a failed transaction is told, the others wait for the next")
    func failed() {
        var commits = GroupCommit<String>(batchOperations: 2)
        commits.arrived("a", operations: 1)
        commits.arrived("b", operations: 2)
        commits.arrived("c", operations: 1)
        #expect(transaction(&commits) == [0..<1, 0..<1])
        #expect(commits.failed() == ["a", "b"])
        #expect(transaction(&commits) == [0..<1])
        #expect(commits.committed() == ["c"])
    }

    @Test("Where a transaction cannot begin, all who wait are told")
    func cannotBegin() {
        var commits = GroupCommit<String>(batchOperations: 1)
        commits.arrived("a", operations: 1)
        commits.arrived("b", operations: 1)
        commits.began()
        #expect(commits.failed() == ["a", "b"])
        #expect(commits.isEmpty)
    }

    @Test("Outcomes are kept with the work they belong to")
    func outcomes() {
        var commits = GroupCommit<[Int]>(batchOperations: 2)
        commits.arrived([], operations: 3)
        for _ in 0..<2 {
            commits.began()
            while let part = commits.next() { commits.current += Array(part) }
            if commits.complete.isEmpty { #expect(commits.committed().isEmpty) }
        }
        #expect(commits.committed() == [[0, 1, 2]])
    }
}
