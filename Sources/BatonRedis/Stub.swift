enum BatonRedisStub {}
