/// HTTP/1.1 on Netty's codec: for now the upgrade to HTTP/2, and a clear refusal of the rest.
@NullMarked
package dev.weftline.internal.http1;

import org.jspecify.annotations.NullMarked;
