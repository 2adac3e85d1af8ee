/**
 * Recore trains, evaluates and serves recommenders: {@link io.recore.Dataset}, {@link io.recore.Rec#train}, {@link
 * io.recore.Model}, {@link io.recore.Recommender}. Failures are {@link io.recore.RecException}; objects that are AutoCloseable
 * own memory of the library. The package io.recore.internal is not public and may change.
 */
package io.recore;
