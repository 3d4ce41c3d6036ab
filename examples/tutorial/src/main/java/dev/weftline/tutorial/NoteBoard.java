package dev.weftline.tutorial;

import dev.weftline.tutorial.routeguide.Point;
import dev.weftline.tutorial.routeguide.RouteNote;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;

/// The notes left at each point, seen by every chat. Any thread may post.
///
/// Anybody can leave notes for ever, so the board forgets: the oldest note of a full point, and of
/// too many points the one that has been quiet for longest.
final class NoteBoard {
  private final int pointsMax;
  private final int notesPerPointMax;
  private final LinkedHashMap<Point, Deque<RouteNote>> notes = new LinkedHashMap<>(16, 0.75f, true);

  NoteBoard(int pointsMax, int notesPerPointMax) {
    if (pointsMax < 1) throw new IllegalArgumentException("pointsMax: " + pointsMax);
    if (notesPerPointMax < 1) {
      throw new IllegalArgumentException("notesPerPointMax: " + notesPerPointMax);
    }
    this.pointsMax = pointsMax;
    this.notesPerPointMax = notesPerPointMax;
  }

  /// Leaves the note at its point and returns those that were there before, oldest first.
  synchronized List<RouteNote> post(RouteNote note) {
    var here = notes.computeIfAbsent(note.getLocation(), _ -> new ArrayDeque<>());
    var before = List.copyOf(here);
    if (here.size() == notesPerPointMax) here.removeFirst();
    here.addLast(note);
    if (notes.size() > pointsMax) notes.pollFirstEntry();
    return before;
  }
}
