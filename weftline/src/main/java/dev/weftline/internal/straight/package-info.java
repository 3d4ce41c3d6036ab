@NullMarked
package dev.weftline.internal.straight;

import org.jspecify.annotations.NullMarked;
