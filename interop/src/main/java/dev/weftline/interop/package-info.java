/// The service, the server command and the certificates of the gRPC interop suite.
@org.jspecify.annotations.NullMarked
package dev.weftline.interop;
