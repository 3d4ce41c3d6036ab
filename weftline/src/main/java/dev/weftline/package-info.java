@NullMarked
package dev.weftline;

import org.jspecify.annotations.NullMarked;
