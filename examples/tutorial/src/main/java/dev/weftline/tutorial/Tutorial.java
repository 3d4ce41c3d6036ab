package dev.weftline.tutorial;

import dev.weftline.Service;
import dev.weftline.tutorial.chat.Chat;
import dev.weftline.tutorial.hello.Greeter;
import dev.weftline.tutorial.routeguide.RouteGuide;
import dev.weftline.tutorial.users.UserManager;
import java.time.Duration;
import java.util.List;

/// The tutorial's services, ready to be added to a server. They may be called from any thread.
public final class Tutorial {
  /// About as long as somebody takes who types fast.
  private static final Duration BOT_PAUSE = Duration.ofMillis(400);

  private Tutorial() {}

  /// New instances of every service, which share nothing with those of an earlier call.
  public static List<Service> services() {
    return List.of(
        Greeter.service(new GreeterService()),
        RouteGuide.service(new RouteGuideService(FeatureMap.bundled())),
        UserManager.service(
            new UserManagerService(KnownUsers.named("Ada", "Barbara", "Grace", "Radia"))),
        Chat.service(new ChatService(new Bot(BOT_PAUSE))));
  }
}
