package dev.weftline.jwt;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.GeneralCodingRules;
import org.junit.jupiter.api.Test;

/// This module stands outside: it uses what any user of Weftline can use.
final class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.weftline.jwt");

  @Test
  void onlyPublicPackagesOfWeftlineAreUsed() {
    assertThat(CLASSES.contain("dev.weftline.jwt.JwtGuard")).isTrue();
    noClasses()
        .should()
        .dependOnClassesThat(
            resideInAnyPackage(
                "dev.weftline.internal..", "dev.weftline.server..", "io.grpc.internal.."))
        .check(CLASSES);
    classes()
        .that()
        .arePublic()
        .and()
        .areTopLevelClasses()
        .should()
        .haveSimpleNameStartingWith("Jwt")
        .check(CLASSES);
  }

  /// What the guard's keys and tokens are made of may change with its library.
  @Test
  void theLibraryStaysInside() {
    noClasses()
        .that(resideInAPackage("dev.weftline.jwt.."))
        .and()
        .haveSimpleName("JwtPrincipal")
        .should()
        .dependOnClassesThat(resideInAPackage("com.nimbusds.."))
        .check(CLASSES);
  }

  @Test
  void nothingIsPrinted() {
    GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(CLASSES);
  }
}
