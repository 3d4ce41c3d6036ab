/// The protoc plugin: reads what protoc knows of a .proto, writes a Java interface for each
/// service.
@NullMarked
package dev.weftline.protoc;

import org.jspecify.annotations.NullMarked;
