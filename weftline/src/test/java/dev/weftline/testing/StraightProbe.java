package dev.weftline.testing;

import dev.weftline.Handler;
import dev.weftline.Service;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc;

/// The probe's service from lambdas; a method left out answers UNIMPLEMENTED.
public final class StraightProbe {
  private final Service.Builder service = Service.builder(ProbeGrpc.getServiceDescriptor());

  public static StraightProbe unary(Handler.Unary<Ask, Answer> method) {
    return new StraightProbe().andUnary(method);
  }

  public static StraightProbe down(Handler.ServerStreaming<Ask, Answer> method) {
    return new StraightProbe().andDown(method);
  }

  public static StraightProbe up(Handler.ClientStreaming<Ask, Answer> method) {
    return new StraightProbe().andUp(method);
  }

  public static StraightProbe chat(Handler.Bidirectional<Ask, Answer> method) {
    return new StraightProbe().andChat(method);
  }

  /// All four methods of [EchoService], as loops.
  public static StraightProbe echo() {
    return unary(EchoService::echo)
        .andDown((ask, answers) -> {
          for (int i = 1; i <= ask.getNumber(); i++) {
            answers.send(Answer.newBuilder().setNumber(i).setBody(ask.getBody()).build());
          }
        })
        .andUp(asks -> {
          int sum = 0;
          for (var ask : asks) sum += ask.getNumber();
          return Probe.answer(sum);
        })
        .andChat((asks, answers) -> {
          for (var ask : asks) answers.send(EchoService.echo(ask));
        });
  }

  public StraightProbe andUnary(Handler.Unary<Ask, Answer> method) {
    service.unary(ProbeGrpc.getUnaryMethod(), method);
    return this;
  }

  public StraightProbe andDown(Handler.ServerStreaming<Ask, Answer> method) {
    service.serverStreaming(ProbeGrpc.getDownMethod(), method);
    return this;
  }

  public StraightProbe andUp(Handler.ClientStreaming<Ask, Answer> method) {
    service.clientStreaming(ProbeGrpc.getUpMethod(), method);
    return this;
  }

  public StraightProbe andChat(Handler.Bidirectional<Ask, Answer> method) {
    service.bidirectional(ProbeGrpc.getChatMethod(), method);
    return this;
  }

  public Service service() {
    return service.build();
  }
}
