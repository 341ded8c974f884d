// Models of what is built on networks, and of their shapes. See testModel().
import { APPLICATIONS } from '../../support/model-families.ts';
import { testModel } from '../../support/model-test.ts';

for (const model of APPLICATIONS) testModel(model);
