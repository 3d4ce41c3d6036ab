@NullMarked
package dev.weftline.internal.grpcjava;

import org.jspecify.annotations.NullMarked;
