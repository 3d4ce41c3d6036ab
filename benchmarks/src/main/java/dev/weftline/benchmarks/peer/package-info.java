/// The servers in the comparison, each run in a process of its own.
@NullMarked
package dev.weftline.benchmarks.peer;

import org.jspecify.annotations.NullMarked;
