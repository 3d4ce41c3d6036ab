/// A tour of the tutorial's services, each method called over a real connection.
@NullMarked
package dev.weftline.tutorial;

import org.jspecify.annotations.NullMarked;
