/// Who calls, proved by a JSON Web Token: a [dev.weftline.Guard] for bearer tokens.
@NullMarked
package dev.weftline.jwt;

import org.jspecify.annotations.NullMarked;
