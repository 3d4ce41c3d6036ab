@NullMarked
package dev.weftline.testing;

import org.jspecify.annotations.NullMarked;
