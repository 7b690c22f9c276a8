import struct BatonClient.AcceptedMessage

/// The SDK's type: the core has one of the same name.
typealias BatonClientAccepted = AcceptedMessage
