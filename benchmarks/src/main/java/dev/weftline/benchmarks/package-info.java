/// What drives the servers, checks what they answer and reports what it cost them.
@NullMarked
package dev.weftline.benchmarks;

import org.jspecify.annotations.NullMarked;
