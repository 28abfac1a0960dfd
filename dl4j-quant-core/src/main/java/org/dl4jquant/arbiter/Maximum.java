// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.deeplearning4j.arbiter.optimize.api.data.DataProvider;
import org.deeplearning4j.arbiter.optimize.api.data.DataSource;
import org.deeplearning4j.arbiter.optimize.api.score.ScoreFunction;

/** Says to Arbiter that the highest score is the best; the trials compute it. */
@SuppressWarnings("deprecation") // Arbiter's interface still has its first method
final class Maximum implements ScoreFunction {

    private static final long serialVersionUID = 1;

    @Override
    public boolean minimize() {
        return false;
    }

    @Override
    @Deprecated
    public double score(Object model, DataProvider data, Map<String, Object> parameters) {
        throw new UnsupportedOperationException("trials score their candidates themselves");
    }

    @Override
    public double score(Object model, Class<? extends DataSource> data, Properties properties) {
        throw new UnsupportedOperationException("trials score their candidates themselves");
    }

    @Override
    public List<Class<?>> getSupportedModelTypes() {
        return List.of();
    }

    @Override
    public List<Class<?>> getSupportedDataTypes() {
        return List.of();
    }
}
