@NullMarked
package dev.weftline.micrometer;

import org.jspecify.annotations.NullMarked;
