@NullMarked
package dev.weftline.server;

import org.jspecify.annotations.NullMarked;
