enum BatonLoadStub {}
