/// Which calls are let in: limits per method that are fixed or found by measuring, the short queue
/// before each, and the answers of those that are turned away. Knows methods by name and calls by
/// their times only.
@NullMarked
package dev.weftline.internal.admission;

import org.jspecify.annotations.NullMarked;
