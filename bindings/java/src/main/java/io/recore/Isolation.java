package io.recore;

import io.recore.internal.Raw;

/** Where a plugin runs. */
public enum Isolation {
  /** One over LibTorch in a worker process, any other in this one. */
  AUTO(Raw.REC_ISOLATION_AUTO),
  IN_PROCESS(Raw.REC_ISOLATION_IN_PROCESS),
  /** In a worker process, whose crash is a {@link RecException.PluginFailed}. */
  PROCESS(Raw.REC_ISOLATION_PROCESS);

  final int number;

  Isolation(int number) {
    this.number = number;
  }
}
