package dev.weftline.tutorial;

import io.grpc.BindableService;
import java.util.List;

/// The tutorial's services, ready to be added to a server. They may be called from any thread.
public final class Tutorial {
  private Tutorial() {}

  /// New instances of every service, which share nothing with those of an earlier call.
  public static List<BindableService> services() {
    return List.of(new GreeterService(), new RouteGuideService(FeatureMap.bundled()));
  }
}
