package dev.weftline.internal.testing;

import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/// Gives a test its loop and its peer, and after each test checks what must hold whatever was
/// tested: no buffer leaked, every exchange was closed once, no connection stayed open. A [Referee]
/// has checked every frame on the way.
///
/// Parameters: `InMemoryLoop`, `SocketLoop`, and `ScriptedPeer`, which is one in memory that has
/// shaken hands.
public final class Invariants implements ParameterResolver, AfterTestExecutionCallback {
  private static final ExtensionContext.Namespace OURS =
      ExtensionContext.Namespace.create(Invariants.class);

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    var type = parameter.getParameter().getType();
    return type == InMemoryLoop.class || type == SocketLoop.class || type == ScriptedPeer.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    var store = context.getStore(OURS);
    var type = parameter.getParameter().getType();
    if (type == SocketLoop.class) {
      return store.computeIfAbsent(SocketLoop.class, _ -> new SocketLoop(), SocketLoop.class);
    }
    var loop =
        store.computeIfAbsent(InMemoryLoop.class, _ -> new InMemoryLoop(), InMemoryLoop.class);
    return type == InMemoryLoop.class ? loop : loop.peer();
  }

  @Override
  public void afterTestExecution(ExtensionContext context) {
    var failed = context.getExecutionException().isPresent();
    for (var type : new Class<?>[] {InMemoryLoop.class, SocketLoop.class}) {
      var loop = (TestLoop) context.getStore(OURS).remove(type);
      if (loop == null) continue;
      try {
        loop.close();
      } catch (AssertionError e) {
        // After a failure the invariants may well be broken: the failure is what matters.
        if (!failed) throw e;
      }
    }
  }
}
