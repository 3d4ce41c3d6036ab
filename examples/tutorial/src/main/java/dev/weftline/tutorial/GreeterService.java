package dev.weftline.tutorial;

import dev.weftline.tutorial.hello.GreeterGrpc;
import dev.weftline.tutorial.hello.HelloReply;
import dev.weftline.tutorial.hello.HelloRequest;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;

/// Says hello once, several times, or as often as it is asked.
final class GreeterService extends GreeterGrpc.GreeterImplBase {
  private static final int REPLIES_UNASKED = 10;

  /// Enough to watch a long stream for a while; a caller who wants more can call again.
  private static final int REPLIES_MAX = 10_000_000;

  @Override
  public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
    replies.onNext(reply("Hello " + request.getName()));
    replies.onCompleted();
  }

  @Override
  public void sayHelloStream(HelloRequest request, StreamObserver<HelloReply> replies) {
    int count = request.hasReplies() ? request.getReplies() : REPLIES_UNASKED;
    if (count < 0 || count > REPLIES_MAX) {
      replies.onError(
          Status.INVALID_ARGUMENT
              .withDescription("replies must be within 0 and " + REPLIES_MAX + ", not " + count)
              .asRuntimeException());
      return;
    }
    for (int i = 1; i <= count; i++) {
      replies.onNext(reply("Hello " + request.getName() + ", " + i + " of " + count));
    }
    replies.onCompleted();
  }

  @Override
  public StreamObserver<HelloRequest> sayHelloBidi(StreamObserver<HelloReply> replies) {
    return new StreamObserver<>() {
      @Override
      public void onNext(HelloRequest request) {
        replies.onNext(reply("Hello " + request.getName()));
      }

      @Override
      public void onError(Throwable cancelled) {
        // The caller has gone: there is nobody left to greet and nothing to tidy.
      }

      @Override
      public void onCompleted() {
        replies.onCompleted();
      }
    };
  }

  private static HelloReply reply(String message) {
    return HelloReply.newBuilder().setMessage(message).build();
  }
}
