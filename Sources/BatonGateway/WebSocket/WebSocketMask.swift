/// The masking key of a frame, and where in it the next byte of the payload stands.
struct WebSocketMask: Sendable {
    /// The key twice, its first byte lowest.
    private var key: UInt64 = 0
    private var position = 0

    /// Takes the key's bytes one by one, as they arrive.
    ///
    /// - Returns: whether it is complete.
    mutating func receive(_ byte: UInt8) -> Bool {
        key |= UInt64(byte) << (8 * UInt64(position))
        position += 1
        guard position == 4 else { return false }
        key |= key << 32
        position = 0
        return true
    }

    /// Copies bytes of the payload and unmasks them on the way, eight at a time.
    ///
    /// Copied, because the buffer that a channel reads into is the channel's: it keeps a reference for the next read, so
    /// that unmasking in place would copy all of it.
    mutating func unmask(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) {
        precondition(target.count >= source.count)
        let turn = UInt64(8 * (position & 3))
        // Rotating keeps the period of four bytes, because the key stands in it twice.
        let turned = key >> turn | key << ((64 - turn) & 63)
        let word = turned.littleEndian
        var offset = 0
        while source.count - offset >= 8 {
            let masked = source.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            target.storeBytes(of: masked ^ word, toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        while offset < source.count {
            target[offset] = source[offset] ^ UInt8(truncatingIfNeeded: turned >> UInt64(8 * (offset & 7)))
            offset += 1
        }
        position = (position + source.count) & 3
    }
}
