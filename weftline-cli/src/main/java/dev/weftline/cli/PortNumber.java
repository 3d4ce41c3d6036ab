package dev.weftline.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// A TCP port to listen on; 0 lets the system choose one.
record PortNumber(int value) {
  static final PortNumber DEMO = new PortNumber(50051);

  PortNumber {
    if (value < 0 || value > 65_535) throw new IllegalArgumentException("port: " + value);
  }

  static PortNumber parse(String text) {
    try {
      return new PortNumber(Integer.parseInt(text));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("'" + text + "' is not a port (0 to 65535)", e);
    }
  }

  static final class Converter implements ITypeConverter<PortNumber> {
    @Override
    public PortNumber convert(String text) {
      try {
        return parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
