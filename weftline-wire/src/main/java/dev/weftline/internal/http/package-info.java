@NullMarked
package dev.weftline.internal.http;

import org.jspecify.annotations.NullMarked;
