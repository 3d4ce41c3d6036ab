package dev.weftline.tutorial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.rpc.BadRequest;
import dev.weftline.CallException;
import dev.weftline.Receiver;
import dev.weftline.tutorial.users.Document;
import dev.weftline.tutorial.users.DocumentPart;
import dev.weftline.tutorial.users.UserCount;
import dev.weftline.tutorial.users.UserManager;
import dev.weftline.tutorial.users.UserManagerGrpc;
import dev.weftline.tutorial.users.UserReply;
import dev.weftline.tutorial.users.UserRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class UserManagerTest {
  private static final int MIB = 1 << 20;

  private TutorialServer server;
  private UserManager.Client users;

  @BeforeEach
  void start() throws IOException {
    server = new TutorialServer();
    users = UserManager.client(server.channel());
  }

  @AfterEach
  void stop() throws InterruptedException {
    server.stop();
  }

  @Test
  void aUserIsFoundByIdOrByName() {
    for (var request : List.of(id(1), name("Ada"), name("ADA"))) {
      var reply = users.getUser(request);
      assertThat(reply.getError()).isFalse();
      assertThat(reply.getUser().getId()).isEqualTo(1);
      assertThat(reply.getUser().getName()).isEqualTo("Ada");
      assertThat(reply.getUser().getEmail()).isEqualTo("ada@example.com");
    }
  }

  @Test
  void aUserWhoIsNotThereIsAReplyAndNotAFailure() {
    assertThat(users.getUser(id(99))).isEqualTo(error("there is no user 99"));
    assertThat(users.getUser(name("Eve"))).isEqualTo(error("there is no user named Eve"));
  }

  @Test
  void eachOfAStreamOfRequestsIsAnsweredAsItComes() {
    try (var asked = users.getUsers()) {
      var replies = asked.iterator();
      asked.send(id(2));
      assertThat(replies.next().getUser().getName()).isEqualTo("Barbara");
      asked.send(id(99));
      assertThat(replies.next()).isEqualTo(error("there is no user 99"));
      asked.halfClose();
      assertThat(replies.hasNext()).isFalse();
    }
  }

  @Test
  void knownAndUnknownUsersAreCountedOnceAllWereNamed() {
    try (var named = users.countKnownUsers()) {
      for (var name : List.of("Ada", "Eve", "Grace", "Radia")) named.send(name(name));
      assertThat(named.reply()).isEqualTo(UserCount.newBuilder().setKnown(3).setUnknown(1).build());
    }
  }

  @Test
  void aStubOfGrpcJavaGetsTheSameAnswers() throws Exception {
    var stub = UserManagerGrpc.newBlockingV2Stub(server.channel());
    assertThat(stub.getUser(id(3)).getUser().getName()).isEqualTo("Grace");

    var named = stub.countKnownUsers();
    assertThat(named.write(id(1))).isTrue();
    named.halfClose();
    assertThat(named.read().getKnown()).isEqualTo(1);
  }

  @Test
  void aRequestThatMakesNoSenseNamesItsField() {
    assertRefused(
        () -> users.getUser(UserRequest.getDefaultInstance()), "by", "by must be an id or a name");
    assertRefused(() -> users.getUser(id(0)), "id", "id must be at least 1");
    assertRefused(() -> users.getUser(id(-1)), "id", "id must be at least 1");
    assertRefused(() -> users.getUser(name(" ")), "name", "name is empty");
    assertRefused(
        () -> users.getUser(name("x".repeat(101))), "name", "name is longer than 100 characters");
  }

  @Nested
  class Documents {
    private final long seed = System.nanoTime();

    @Test
    void sixtyFourMebibytesInPiecesOfOneAreDigested() throws Exception {
      var random = new Random(seed);
      var digest = MessageDigest.getInstance("SHA-256");
      try (var upload = users.uploadDocument()) {
        upload.send(document(1, 64L * MIB));
        for (int i = 0; i < 64; i++) {
          var bytes = new byte[MIB];
          random.nextBytes(bytes);
          digest.update(bytes);
          upload.send(piece(bytes));
        }
        var reply = upload.reply();
        assertThat(reply.getError()).isFalse();
        assertThat(reply.getUser().getName()).isEqualTo("Ada");
        assertThat(reply.getBytes()).isEqualTo(64L * MIB);
        assertThat(reply.getSha256().toByteArray()).as("seed " + seed).isEqualTo(digest.digest());
      }
    }

    @Test
    void aDocumentMayBeEmpty() {
      var reply = users.uploadDocument(Receiver.of(List.of(document(1, 0))));
      assertThat(reply.getError()).isFalse();
      assertThat(reply.getSha256().size()).isEqualTo(32);
    }

    @Test
    void anUnknownOwnerIsToldBeforeThePieces() {
      try (var upload = users.uploadDocument()) {
        upload.send(document(99, 64L * MIB));
        var reply = upload.iterator().next();
        assertThat(reply.getError()).isTrue();
        assertThat(reply.getMessage()).isEqualTo("there is no user 99");
      }
    }

    /// The reply is early, and the generated client stops sending.
    @Test
    void aClientWithAllThePiecesStopsSendingToAnUnknownOwner() {
      var parts = new ArrayList<DocumentPart>(List.of(document(99, 64L * MIB)));
      for (int i = 0; i < 64; i++) parts.add(piece(new byte[MIB]));
      assertThat(users.uploadDocument(Receiver.of(parts)).getError()).isTrue();
    }

    @Test
    void pieceByPieceItIsHeldToWhatItAnnounced() {
      var bytes = piece(new byte[10]);
      assertUploadRefused("document", "document must come before the pieces", bytes);
      assertUploadRefused("document", "document must come before the pieces");
      assertUploadRefused(
          "document.bytes",
          "document.bytes announced less than the pieces have: 20",
          document(1, 19),
          bytes,
          bytes);
      assertUploadRefused(
          "document.bytes",
          "document.bytes announced more than the pieces have: 10",
          document(1, 11),
          bytes);
      assertUploadRefused(
          "piece",
          "piece is missing: one part is neither",
          document(1, 10),
          bytes,
          document(1, 10));
      assertUploadRefused(
          "document.bytes",
          "document.bytes must be within 0 and 17179869184",
          document(1, (16L << 30) + 1));
      assertUploadRefused(
          "document.bytes", "document.bytes must be within 0 and 17179869184", document(1, -1));
    }

    private void assertUploadRefused(String field, String message, DocumentPart... parts) {
      assertRefused(() -> users.uploadDocument(Receiver.of(List.of(parts))), field, message);
    }
  }

  private static void assertRefused(ThrowingCallable call, String field, String message) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refusal -> {
              assertThat(refusal.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
              assertThat(refusal.getStatus().getDescription()).isEqualTo(message);
              var details = CallException.detail(refusal, BadRequest.class).orElseThrow();
              assertThat(details.getFieldViolationsList())
                  .singleElement()
                  .extracting(BadRequest.FieldViolation::getField)
                  .isEqualTo(field);
            });
  }

  private static UserRequest id(long id) {
    return UserRequest.newBuilder().setId(id).build();
  }

  private static UserRequest name(String name) {
    return UserRequest.newBuilder().setName(name).build();
  }

  private static UserReply error(String message) {
    return UserReply.newBuilder().setError(true).setMessage(message).build();
  }

  private static DocumentPart document(long owner, long bytes) {
    var document = Document.newBuilder().setOwner(id(owner)).setName("notes.txt").setBytes(bytes);
    return DocumentPart.newBuilder().setDocument(document).build();
  }

  private static DocumentPart piece(byte[] bytes) {
    return DocumentPart.newBuilder().setPiece(ByteString.copyFrom(bytes)).build();
  }
}
