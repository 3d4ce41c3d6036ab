@NullMarked
package dev.weftline.internal.call;

import org.jspecify.annotations.NullMarked;
