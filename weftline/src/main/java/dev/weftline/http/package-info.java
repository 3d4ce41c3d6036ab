/// Plain HTTP beside the calls, on the same port: health for probes, metrics, pages for operators.
@NullMarked
package dev.weftline.http;

import org.jspecify.annotations.NullMarked;
