import BatonCore
import BatonProtocol
import HTTPTypes

/// An error of what the API calls, for which the API has an answer.
protocol AnsweredError: Error {
    var answer: APIError { get }
}

extension StoreError: AnsweredError {
    var answer: APIError { APIError(WireError(self)) }
}

extension FrameError: AnsweredError {
    var answer: APIError { APIError(error) }
}

extension AccountError: AnsweredError {
    var answer: APIError {
        switch self {
        case .handleTaken: APIError(.handleTaken, "this handle belongs to another user", field: "handle")
        case .notFound: .unknownUser
        case .sameUser: APIError(.sameUser, "you cannot block yourself", field: "user")
        case .tooManyDevices(let limit):
            APIError(
                .tooManyDevices,
                "a user has at most \(limit) devices, and none of these can give way now: they are connected, or it is "
                    + "not known which are; remove one (POST /v1/devices)")
        case .passwordChanged: APIError(.wrongCredentials, "the password was changed")
        case .store(let failure): failure.answer
        }
    }
}

extension PasswordError: AnsweredError {
    var answer: APIError {
        switch self {
        case .overloaded:
            APIError(.overloaded, "too many people log in at this moment; try again", retryAfterMilliseconds: 1_000)
        case .failed: .internalError
        }
    }
}

extension AuthenticationError: AnsweredError {
    var answer: APIError {
        switch self {
        case .missing:
            var error = APIError(.unauthenticated, "send an access token: \"Authorization: Bearer <token>\"")
            // RFC 6750: no error attribute where no token came at all.
            error.headers[.wwwAuthenticate] = "Bearer realm=\"baton\""
            return error
        case .invalid: return APIError(.unauthenticated, "this access token is not valid here")
        case .expired: return APIError(.tokenExpired, "this access token has expired; refresh it")
        }
    }
}

/// Calls what the API stands on, and answers its errors.
func mapped<Result, Failure: AnsweredError>(
    _ call: () async throws(Failure) -> Result
) async throws(APIError) -> Result {
    do {
        return try await call()
    } catch {
        throw error.answer
    }
}
