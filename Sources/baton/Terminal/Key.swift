/// What a person pressed.
enum Key: Hashable {
    /// Typed text: no control characters.
    case text(String)
    /// Pasted at once; may hold line breaks, but no other control characters.
    case paste(String)
    case enter
    /// Alt and Enter: a line break within the text.
    case lineBreak
    case backspace
    case delete
    case left
    case right
    case wordLeft
    case wordRight
    case home
    case end
    case up
    case down
    case pageUp
    case pageDown
    case tab
    /// Control and a letter that has no meaning of its own above.
    case control(Character)
}
