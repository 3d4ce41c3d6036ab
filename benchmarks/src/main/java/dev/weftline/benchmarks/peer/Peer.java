package dev.weftline.benchmarks.peer;

import dev.weftline.Service;
import java.util.Locale;
import java.util.concurrent.Executors;

/// A server in the comparison.
public enum Peer {
  WEFTLINE("Weftline"),
  WEFTLINE_BARE("Weftline, engine only"),
  WEFTLINE_FULL("Weftline, everything on"),
  WEFTLINE_GRPC_JAVA("Weftline, grpc-java services"),
  GRPC_JAVA_VIRTUAL("grpc-java, virtual threads"),
  GRPC_JAVA_DIRECT("grpc-java, direct executor"),
  GRPC_JAVA("grpc-java, default executor"),
  VERTX("Vert.x, own API"),
  VERTX_GRPC_JAVA("Vert.x, grpc-java services"),
  ARMERIA("Armeria"),
  HELIDON("Helidon"),
  FLOOR("floor: frames echoed, no gRPC");

  private final String label;

  Peer(String label) {
    this.label = label;
  }

  /// How the peer is named on the command line.
  public String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /// How the peer is named in a table.
  public String label() {
    return label;
  }

  /// Whether it is Weftline, with whatever services.
  public boolean isOurs() {
    return switch (this) {
      case WEFTLINE, WEFTLINE_BARE, WEFTLINE_FULL, WEFTLINE_GRPC_JAVA -> true;
      case GRPC_JAVA_VIRTUAL,
          GRPC_JAVA_DIRECT,
          GRPC_JAVA,
          VERTX,
          VERTX_GRPC_JAVA,
          ARMERIA,
          HELIDON,
          FLOOR ->
          false;
    };
  }

  /// Whether anything is known here about calls: the floor only sends frames back.
  public boolean servesCalls() {
    return this != FLOOR;
  }

  public static Peer of(String id) {
    for (var peer : values()) {
      if (peer.id().equals(id)) {
        return peer;
      }
    }
    throw new IllegalArgumentException("no such peer: " + id);
  }

  /// Starts the server in this process and returns its port.
  int start() throws Exception {
    // One class per library: a library that does not load takes only its own peer with it.
    return switch (this) {
      case WEFTLINE -> WeftlinePeer.start(StraightHello.service());
      case WEFTLINE_BARE -> WeftlinePeer.startBare(StraightHello.service());
      case WEFTLINE_FULL -> WeftlinePeer.startFull(StraightHello.service());
      case WEFTLINE_GRPC_JAVA -> WeftlinePeer.start(Service.of(new HelloService()));
      case GRPC_JAVA_VIRTUAL ->
          GrpcJavaPeer.start(b -> b.executor(Executors.newVirtualThreadPerTaskExecutor()));
      case GRPC_JAVA_DIRECT -> GrpcJavaPeer.start(b -> b.directExecutor());
      case GRPC_JAVA -> GrpcJavaPeer.start(b -> b);
      case VERTX -> VertxPeer.start();
      case VERTX_GRPC_JAVA -> VertxPeer.startGrpcJavaServices();
      case ARMERIA -> ArmeriaPeer.start();
      case HELIDON -> HelidonPeer.start();
      case FLOOR -> Floor.start();
    };
  }
}
