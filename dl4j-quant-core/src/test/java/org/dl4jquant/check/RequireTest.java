// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.check;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

final class RequireTest {

    @Test
    void saysNothingWhileTheConditionHolds() {
        assertDoesNotThrow(() -> Require.argument(true, "never shown %s", "x"));
        assertDoesNotThrow(() -> Require.state(true, "never shown %s", "x"));
    }

    @Test
    void formatsTheMessageOfAnArgument() {
        assertEquals(
                "3 is above 2.5",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> Require.argument(false, "%d is above %.1f", 3, 2.5))
                        .getMessage());
    }

    @Test
    void formatsTheMessageOfAState() {
        assertEquals(
                "'a' is closed",
                assertThrows(
                                IllegalStateException.class,
                                () -> Require.state(false, "'%s' is closed", "a"))
                        .getMessage());
    }

    @Test
    void namesAnArgumentThatIsNull() {
        assertDoesNotThrow(() -> Require.given("", "text"));
        assertEquals(
                "the argument 'text' is null; it must be given",
                assertThrows(IllegalArgumentException.class, () -> Require.given(null, "text"))
                        .getMessage());
    }
}
