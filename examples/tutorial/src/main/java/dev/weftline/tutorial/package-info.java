/// The services of the tutorial, written as any grpc-java service is, and a client for one of them.
@NullMarked
package dev.weftline.tutorial;

import org.jspecify.annotations.NullMarked;
