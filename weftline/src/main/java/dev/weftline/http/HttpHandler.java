package dev.weftline.http;

/// Answers the plain HTTP requests of one path, registered with `Server.Builder.http(path,
/// handler)`, over HTTP/1.1 and HTTP/2 alike.
///
/// Each request runs on a virtual thread of its own, which may block, and which is interrupted when
/// the client has gone or the time for the request is over. One handler serves many requests at a
/// time.
///
/// A handler is asked for GET, POST, PUT, PATCH and DELETE, and answers 405 itself where it does
/// not want one. HEAD is asked as GET, and the server leaves the content away; OPTIONS is answered
/// by the server.
@FunctionalInterface
public interface HttpHandler {
  /// The response to `request`.
  ///
  /// @throws Exception for what went wrong; it is logged, and the client is told 500 and nothing
  ///   else
  Response handle(Request request) throws Exception;
}
