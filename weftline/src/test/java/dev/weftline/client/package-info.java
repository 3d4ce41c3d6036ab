@NullMarked
package dev.weftline.client;

import org.jspecify.annotations.NullMarked;
