package dev.weftline.protoc;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class JavaNamesTest {
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # rpc,          method,         constant
          SayHello,       sayHello,       SAY_HELLO
          say_hello,      sayHello,       SAY_HELLO
          Get_User,       getUser,        GET_USER
          getURL,         getURL,         GET_U_R_L
          X,              x,              X
          List2,          list2,          LIST2
          list_2,         list2,          LIST2
          _Private,       private_,       PRIVATE_
          _2fast,         _2fast,         _2FAST
          _,              __,             __
          ___,            __,             __
          Default,        default_,       DEFAULT_
          Null,           null_,          NULL_
          Notify,         notify_,        NOTIFY_
          Service,        service_,       SERVICE_
          WithDeadline,   withDeadline_,  WITH_DEADLINE_
          """)
  void ofMethods(String rpc, String method, String constant) {
    assertThat(JavaNames.ofMethod(rpc)).isEqualTo(method);
    assertThat(JavaNames.ofConstant(method)).isEqualTo(constant);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          Greeter,        Greeter
          greeter,        greeter
          User_Manager,   User_Manager
          class,          class_
          record,         record_
          _,              __
          """)
  void ofClasses(String service, String name) {
    assertThat(JavaNames.ofClass(service)).isEqualTo(name);
  }
}
