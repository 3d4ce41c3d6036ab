package dev.weftline;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// Fixes where the calls of a straight-line method run, or of all methods of a class that do not
/// say otherwise.
///
/// ```java
/// @Placed(Placement.SHARED)
/// public Thumbnail resize(Image image) { … }
/// ```
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
public @interface Placed {
  Placement value();
}
