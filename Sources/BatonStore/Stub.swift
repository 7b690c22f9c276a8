enum BatonStoreStub {}
