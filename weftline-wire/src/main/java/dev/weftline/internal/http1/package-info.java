@NullMarked
package dev.weftline.internal.http1;

import org.jspecify.annotations.NullMarked;
