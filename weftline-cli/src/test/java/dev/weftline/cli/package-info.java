/// The command as its users see it: a process with arguments, two streams, signals and an exit
/// code.
@NullMarked
package dev.weftline.cli;

import org.jspecify.annotations.NullMarked;
