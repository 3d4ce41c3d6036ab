@NullMarked
package dev.weftline.internal.net;

import org.jspecify.annotations.NullMarked;
