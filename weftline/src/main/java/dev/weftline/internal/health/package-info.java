/// The messages of `grpc.health.v1`, generated.
@NullMarked
package dev.weftline.internal.health;

import org.jspecify.annotations.NullMarked;
