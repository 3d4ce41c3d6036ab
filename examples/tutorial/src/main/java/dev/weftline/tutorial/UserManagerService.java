package dev.weftline.tutorial;

import com.google.protobuf.ByteString;
import dev.weftline.Placed;
import dev.weftline.Placement;
import dev.weftline.Receiver;
import dev.weftline.Sender;
import dev.weftline.tutorial.users.Document;
import dev.weftline.tutorial.users.DocumentPart;
import dev.weftline.tutorial.users.DocumentReply;
import dev.weftline.tutorial.users.User;
import dev.weftline.tutorial.users.UserCount;
import dev.weftline.tutorial.users.UserManager;
import dev.weftline.tutorial.users.UserReply;
import dev.weftline.tutorial.users.UserRequest;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;

/// Looks users up, counts them, and takes their documents.
final class UserManagerService implements UserManager {
  private static final int NAME_CHARS_MAX = 100;

  /// An upload is digested and not kept, so this bounds time and not memory: some minutes of it.
  private static final long DOCUMENT_BYTES_MAX = 16L << 30;

  private final KnownUsers users;

  UserManagerService(KnownUsers users) {
    this.users = users;
  }

  @Override
  public UserReply getUser(UserRequest request) {
    return find(request)
        .map(user -> UserReply.newBuilder().setUser(user).build())
        .orElseGet(() -> UserReply.newBuilder().setError(true).setMessage(nobody(request)).build());
  }

  @Override
  public void getUsers(Receiver<UserRequest> requests, Sender<UserReply> replies) {
    for (var request : requests) replies.send(getUser(request));
  }

  @Override
  public UserCount countKnownUsers(Receiver<UserRequest> requests) {
    long known = 0;
    long unknown = 0;
    for (var request : requests) {
      if (find(request).isPresent()) known++;
      else unknown++;
    }
    return UserCount.newBuilder().setKnown(known).setUnknown(unknown).build();
  }

  @Override
  @Placed(Placement.SHARED) // to digest a piece takes milliseconds of CPU
  public DocumentReply uploadDocument(Receiver<DocumentPart> parts) {
    var document = announced(parts);
    var owner = find(document.getOwner());
    if (owner.isEmpty()) {
      var message = nobody(document.getOwner());
      return DocumentReply.newBuilder().setError(true).setMessage(message).build();
    }

    var digest = sha256();
    long bytes = 0;
    for (var part : parts) {
      if (!part.hasPiece()) throw Malformed.field("piece", "is missing: one part is neither");
      bytes += part.getPiece().size();
      if (bytes > document.getBytes()) {
        throw Malformed.field("document.bytes", "announced less than the pieces have: " + bytes);
      }
      for (var buffer : part.getPiece().asReadOnlyByteBufferList()) digest.update(buffer);
    }
    if (bytes < document.getBytes()) {
      throw Malformed.field("document.bytes", "announced more than the pieces have: " + bytes);
    }
    return DocumentReply.newBuilder()
        .setUser(owner.get())
        .setBytes(bytes)
        .setSha256(ByteString.copyFrom(digest.digest()))
        .build();
  }

  /// What the pieces to come will be.
  private static Document announced(Receiver<DocumentPart> parts) {
    var first = parts.iterator();
    var part = first.hasNext() ? first.next() : DocumentPart.getDefaultInstance();
    if (!part.hasDocument()) throw Malformed.field("document", "must come before the pieces");
    long bytes = part.getDocument().getBytes();
    if (bytes < 0 || bytes > DOCUMENT_BYTES_MAX) {
      throw Malformed.field("document.bytes", "must be within 0 and " + DOCUMENT_BYTES_MAX);
    }
    return part.getDocument();
  }

  private Optional<User> find(UserRequest request) {
    return switch (request.getByCase()) {
      case ID -> {
        if (request.getId() < 1) throw Malformed.field("id", "must be at least 1");
        yield users.byId(request.getId());
      }
      case NAME -> {
        var name = request.getName();
        if (name.isBlank()) throw Malformed.field("name", "is empty");
        if (name.length() > NAME_CHARS_MAX) {
          throw Malformed.field("name", "is longer than " + NAME_CHARS_MAX + " characters");
        }
        yield users.byName(name);
      }
      case BY_NOT_SET -> throw Malformed.field("by", "must be an id or a name");
    };
  }

  private static String nobody(UserRequest request) {
    return request.hasId()
        ? "there is no user " + request.getId()
        : "there is no user named " + request.getName();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
