@NullMarked
package dev.weftline.internal.http2;

import org.jspecify.annotations.NullMarked;
