/// The `weft` command: one class for each of its commands.
@NullMarked
package dev.weftline.cli;

import org.jspecify.annotations.NullMarked;
