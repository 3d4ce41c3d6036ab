/// The services of the tutorial: methods that block and streams that are loops; and a client for
/// one of them.
@NullMarked
package dev.weftline.tutorial;

import org.jspecify.annotations.NullMarked;
