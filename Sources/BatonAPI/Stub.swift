enum BatonAPIStub {}
