@NullMarked
package dev.weftline.opentelemetry;

import org.jspecify.annotations.NullMarked;
