/// HTTP/1.1 on Netty's decoder: requests as exchanges, and the upgrade to HTTP/2.
@NullMarked
package dev.weftline.internal.http1;

import org.jspecify.annotations.NullMarked;
